"""The programme's figures as pages: each a definition, a chart, a table and a CSV."""
