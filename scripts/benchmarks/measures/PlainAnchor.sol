// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The peer for gas: the same storage and event without the consistency check, and a plain Merkle proof
/// @dev For scripts/bench only. The holder of the operator's key could rewrite history here.
contract PlainAnchor {
    event Anchored(bytes32 indexed root, uint64 indexed size, uint64 previousSize);

    mapping(bytes32 root => uint256 head) private _heads;
    bytes32 private _root;
    address private immutable _operator = msg.sender;

    function anchor(uint64 from, uint64 size, bytes32 root) external {
        require(from == uint64(_heads[_root]) && msg.sender == _operator);
        _heads[root] = uint256(size) | block.timestamp << 64 | uint256(from) << 128 | block.number << 192;
        _root = root;
        emit Anchored(root, size, from);
    }

    /// @dev Correct only for a full tree, where the index has one bit for each node of the proof.
    function verifyInclusion(bytes32 leafHash, uint64 index, bytes32 root, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        bytes32 hash = leafHash;
        for (uint256 i = 0; i < proof.length; ++i) {
            bool right = index >> i & 1 == 1;
            hash = right
                ? sha256(abi.encodePacked(hex"01", proof[i], hash))
                : sha256(abi.encodePacked(hex"01", hash, proof[i]));
        }
        return hash == root && uint64(_heads[root]) > index;
    }
}
