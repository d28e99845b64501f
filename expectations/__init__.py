"""What the gate expects of a staged slice: one suite per reporting table, built from the contract."""
