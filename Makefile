# Two commands that each do all the set-up on a machine with Python 3.11 and make:
#   make report   run the main job on data/sample and name the page to open
#   make test     install and pass the tests
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: report test lint slow clean

report: $(STAMP)
	@$(BIN)/csat report data/sample/study.toml data/sample/2026Q3.csv --lang both --folder report
	@echo "Open $(CURDIR)/report/report-zh.html or $(CURDIR)/report/report-en.html"

test: $(STAMP)
	$(BIN)/python -m pytest -n 2

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

slow: $(STAMP)
	$(BIN)/python -m pytest -m slow

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip -c constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[all,test]'
	@touch $(STAMP)

clean:
	rm -rf $(VENV) report build dist
