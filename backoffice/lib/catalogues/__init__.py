"""Small catalogues as files: what is read of one (``files``), and what its rows are to a model (``resources``)."""
