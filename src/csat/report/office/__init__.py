"""Reports that stay editable: slides and Word documents, with tables and charts of their own."""
