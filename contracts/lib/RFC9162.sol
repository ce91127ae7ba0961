// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Merkle proofs of RFC 9162 §2.1 over SHA-256
/// @dev Step numbers are those of the RFC. Nodes are hashed by the SHA-256 precompile, in 65 bytes of memory beyond the
/// free-memory pointer: 0x01 ‖ left ‖ right; the result goes to the scratch space at 0x00. A
/// call to an account without code succeeds, so its result is taken only if 32 bytes came back (arguments are evaluated
/// from the last to the first: the call comes before `returndatasize`).
library RFC9162 {
    /// @dev A tree of 2^64 leaves is 64 levels high.
    uint256 internal constant MAXIMUM_NODES = 64;

    /// @notice The hash of a leaf: SHA-256(0x00 ‖ entry).
    function leafHash(bytes calldata entry) internal view returns (bytes32 result) {
        bytes memory leaf = abi.encodePacked(bytes1(0), entry);
        assembly ("memory-safe") {
            if iszero(and(eq(returndatasize(), 32), staticcall(gas(), 2, add(leaf, 32), mload(leaf), 0, 32))) {
                revert(0, 0)
            }
            result := mload(0)
        }
    }

    /// @notice Whether `proof` shows `leaf` at `index` of the tree (`size`, `root`): §2.1.3.2.
    function includes(bytes32 leaf, uint256 index, uint256 size, bytes32 root, bytes32[] calldata proof)
        internal
        view
        returns (bool)
    {
        // Step 1, and a bound on the work.
        if (index >= size || proof.length > MAXIMUM_NODES) return false;
        bool exact;
        bytes32 r = leaf;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore8(buffer, 1)
            // Steps 2, 3.
            let fn := index
            let sn := sub(size, 1)
            let end := add(proof.offset, shl(5, proof.length))
            let at := proof.offset
            // Step 4; 4a ends the loop early, with a node to spare.
            for {} and(lt(at, end), iszero(iszero(sn))) { at := add(at, 0x20) } {
                switch or(and(fn, 1), eq(fn, sn))
                case 0 {
                    // 4c
                    mstore(add(buffer, 1), r)
                    mstore(add(buffer, 33), calldataload(at))
                }
                default {
                    // 4b
                    mstore(add(buffer, 1), calldataload(at))
                    mstore(add(buffer, 33), r)
                    for {} and(iszero(and(fn, 1)), iszero(iszero(fn))) {} {
                        fn := shr(1, fn)
                        sn := shr(1, sn)
                    }
                }
                if iszero(and(eq(returndatasize(), 32), staticcall(gas(), 2, buffer, 65, 0, 32))) { revert(0, 0) }
                r := mload(0)
                fn := shr(1, fn)
                sn := shr(1, sn)
            }
            // Step 5: the whole path, and every node, were used.
            exact := and(iszero(sn), eq(at, end))
        }
        return exact && r == root;
    }

    /// @notice Whether `proof` shows that the tree (`newSize`, `newRoot`) extends (`oldSize`, `oldRoot`): §2.1.4.2.
    /// @dev The RFC's procedure is valid for 0 < oldSize < newSize only; anything else is refused here.
    function extends(
        uint256 oldSize,
        bytes32 oldRoot,
        uint256 newSize,
        bytes32 newRoot,
        bytes32[] calldata proof
    ) internal view returns (bool) {
        if (oldSize == 0 || oldSize >= newSize || proof.length > MAXIMUM_NODES) return false;
        // Step 1.
        if (proof.length == 0) return false;
        bool exact;
        bytes32 fr;
        bytes32 sr;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore8(buffer, 1)
            let end := add(proof.offset, shl(5, proof.length))
            let at := proof.offset
            // Step 2: a perfect old tree is itself the first node.
            switch and(oldSize, sub(oldSize, 1))
            case 0 { fr := oldRoot }
            default {
                fr := calldataload(at)
                at := add(at, 0x20)
            }
            // Steps 3, 4.
            let fn := sub(oldSize, 1)
            let sn := sub(newSize, 1)
            for {} and(fn, 1) {} {
                fn := shr(1, fn)
                sn := shr(1, sn)
            }
            // Step 5.
            sr := fr
            // Step 6; 6a ends the loop early, with a node to spare.
            for {} and(lt(at, end), iszero(iszero(sn))) { at := add(at, 0x20) } {
                let c := calldataload(at)
                switch or(and(fn, 1), eq(fn, sn))
                case 0 {
                    // 6c
                    mstore(add(buffer, 1), sr)
                    mstore(add(buffer, 33), c)
                }
                default {
                    // 6b
                    mstore(add(buffer, 1), c)
                    mstore(add(buffer, 33), fr)
                    if iszero(and(eq(returndatasize(), 32), staticcall(gas(), 2, buffer, 65, 0, 32))) { revert(0, 0) }
                    fr := mload(0)
                    mstore(add(buffer, 33), sr)
                    for {} and(iszero(and(fn, 1)), iszero(iszero(fn))) {} {
                        fn := shr(1, fn)
                        sn := shr(1, sn)
                    }
                }
                if iszero(and(eq(returndatasize(), 32), staticcall(gas(), 2, buffer, 65, 0, 32))) { revert(0, 0) }
                sr := mload(0)
                fn := shr(1, fn)
                sn := shr(1, sn)
            }
            // Step 7: the whole path, and every node, were used.
            exact := and(iszero(sn), eq(at, end))
        }
        return exact && fr == oldRoot && sr == newRoot;
    }
}
