"""The site: `python -m manual` assembles its pages in `.manual/`, and `make docs` makes HTML of them."""
