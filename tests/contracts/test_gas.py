def test_gas(contract, sparse, evm):
    for old, new in ((1_000_000, 1_000_256), (999_999, 1_999_999)):
        growth = sparse.growth(old, new)
    snap = evm.provider.snapshot()
    for old, new in ((1_000_000, 1_000_256), (999_999, 1_999_999)):
        growth = sparse.growth(old, new)
        sparse.known.clear(); growth = sparse.growth(old, new)
        f = contract.send("anchor", 0, old, sparse.root(0, old), [])
        r = contract.send("anchor", *growth)
        print(old, new, len(growth[3]), f["gasUsed"], r["gasUsed"])
        evm.provider.restore(snap)
        snap = evm.provider.snapshot()
    size = 2**20
    from anchor import merkle
    from conftest import calldata
    index=0x5a5a5
    sparse.known.clear()
    leaf, *_ = sparse.invent((index, index+1))
    proof = sparse.invent(*merkle.inclusion_ranges(index, size))
    contract.send("anchor", 0, size, sparse.root(0, size), [])
    assert contract.read("verifyInclusion", leaf, index, sparse.root(0,size), proof)
    d=calldata("verifyInclusion", leaf, index, sparse.root(0,size), proof)
    r=contract.send("verifyInclusion", leaf, index, sparse.root(0,size), proof)
    intrinsic=21000+sum(16 if b else 4 for b in d)
    floor=21000+10*sum(4 if b else 1 for b in d)
    print(len(proof), r["gasUsed"], r["gasUsed"]-intrinsic, floor)
    print(contract.refusal("anchor", 1, 2, bytes(32), []))
    print(contract.refused("anchor", size, size, b"1"*32, []))
    assert 0
