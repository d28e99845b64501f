"""Reports to brands: what people did with a brand's pins in a day, a week or any other days that are over.

``period`` says which, ``read`` gets the numbers, ``page`` and ``tables`` make files of them, ``store`` and
``revisions`` keep every revision, ``mail`` sends them, ``make`` does it for all brands.
"""
