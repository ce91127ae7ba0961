"""How claims become undeniable: the log, its anchors, bundles, and their verification."""
