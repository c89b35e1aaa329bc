"""Every public method on a Spark frame gives what it gives in memory, or says in words why it cannot."""

from functools import cache

import pyarrow as pa
import pytest
from pyarrow import parquet

import csat
from csat.errors import CsatError

from ..agreement.methods import (  # noqa: TID252 - one list of methods for all engines
    ASKED,
    METHODS,
    OF_STREAMS,
    answers,
    assert_same,
    figures,
)

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::csat.errors.CsatWarning")]
#: Asked for by others of the list, in the same jobs.
IN_OTHERS = {"compare", "compare_models", "contributions", "equality_tests", "letters", "modification_indices"}


@pytest.fixture(scope="module")
def sources(spark, tmp_path_factory):
    folder = tmp_path_factory.mktemp("answers")
    frame = answers()
    parquet.write_table(pa.Table.from_pandas(frame, preserve_index=False), folder / "all.parquet")
    answered = spark.read.parquet(str(folder)).repartition(3).cache()
    return csat.read_survey(answered, ASKED), csat.read_survey(frame, ASKED)


@pytest.fixture(scope="module")
def known(sources):
    return cache(lambda name: figures(METHODS[name](sources[1])))


@pytest.mark.parametrize("name", [name for name in METHODS if name not in IN_OTHERS])
def test_every_method_gives_what_it_gives_in_memory(sources, known, name):
    if name in OF_STREAMS:
        with pytest.raises(CsatError, match=OF_STREAMS[name]):
            METHODS[name](sources[0])
    else:
        assert_same(figures(METHODS[name](sources[0])), known(name))
