"""Reports to brands: what people did with a brand's pins in a day, a week or another past period.

``period`` defines the days, ``read`` fetches the numbers, ``page`` and ``tables`` render them to files, ``store`` and
``revisions`` store every revision, ``mail`` sends them, ``make`` does it for all brands.
"""
