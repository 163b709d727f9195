// The ledger's types live beside this file.
