"""The place of a test's lake: on this disk, or in an S3-compatible store."""

import pytest

# The lake's promises hold in a store as they do on a disk: such a test runs on both. The places are fixtures.
on_disk_and_in_a_store = pytest.mark.parametrize("place", ["tmp_path", "bucket"], indirect=True)
