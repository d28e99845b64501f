"""A campaign of faults: which (``plan``, ``victims``), how (``inject``, ``network``, ``points``), where (``world``)."""
