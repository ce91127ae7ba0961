// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165, IRightsAnchor} from "./IRightsAnchor.sol";
import {RFC9162} from "./lib/RFC9162.sol";

/// @title The anchor of a Deedlog registry: see IRightsAnchor
contract RightsAnchor is IRightsAnchor, IERC165 {
    /// @inheritdoc IRightsAnchor
    uint64 public constant version = 1;

    /// @dev Storage slot 0, part of the format: the head with `root` lies at keccak256(root ‖ uint256(0)), packed as
    /// size | time << 64 | previousSize << 128 | blockNumber << 192. A size is never zero, so neither is a head.
    mapping(bytes32 root => uint256 head) private _heads;

    /// @dev Storage slot 1: the root of the last head; zero before the first.
    bytes32 private _root;

    /// @inheritdoc IRightsAnchor
    bytes32 public logKey;
    /// @inheritdoc IRightsAnchor
    address public owner;
    /// @inheritdoc IRightsAnchor
    address public pendingOwner;
    /// @inheritdoc IRightsAnchor
    address public operator;
    /// @inheritdoc IRightsAnchor
    string public origin;

    /// @dev More than one chain is the exception. The bound keeps the constructor cheap and a bundle's list short.
    uint256 private constant _MAXIMUM_CHAINS = 8;

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    /// @param chains the ids of the chains on which this registry may live: 1 to 8, ascending, this one among them
    constructor(
        string memory origin_,
        bytes32 logKey_,
        address owner_,
        address operator_,
        uint64[] memory chains
    ) {
        if (logKey_ == 0 || owner_ == address(0) || operator_ == address(0)) revert Zero();
        bytes memory characters = bytes(origin_);
        if (characters.length == 0 || characters.length > 255) revert OriginRefused(origin_);
        for (uint256 i = 0; i < characters.length; ++i) {
            bytes1 character = characters[i];
            if (character <= 0x20 || character >= 0x7f || character == "+") revert OriginRefused(origin_);
        }
        _requireListed(chains);
        origin = origin_;
        logKey = logKey_;
        owner = owner_;
        operator = operator_;
        emit LogKeySet(logKey_);
        emit OwnershipTransferred(address(0), owner_);
        emit OperatorSet(operator_);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(IRightsAnchor).interfaceId;
    }

    /// @inheritdoc IRightsAnchor
    function head() external view returns (uint64 size, bytes32 root, uint64 time) {
        root = _root;
        uint256 packed = _heads[root];
        return (uint64(packed), root, uint64(packed >> 64));
    }

    /// @inheritdoc IRightsAnchor
    function headOf(bytes32 root)
        external
        view
        returns (uint64 size, uint64 time, uint64 previousSize, uint64 blockNumber)
    {
        uint256 packed = _heads[root];
        return (uint64(packed), uint64(packed >> 64), uint64(packed >> 128), uint64(packed >> 192));
    }

    /// @inheritdoc IRightsAnchor
    function anchor(uint64 from, uint64 size, bytes32 root, bytes32[] calldata proof) external {
        bytes32 last = _lastRoot(from);
        if (msg.sender != operator) revert NotOperator(msg.sender);
        _accept(last, from, size, root, proof);
    }

    /// @inheritdoc IRightsAnchor
    function verifyInclusion(bytes32 leafHash, uint64 index, bytes32 root, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        return RFC9162.includes(leafHash, index, uint64(_heads[root]), root, proof);
    }

    /// @inheritdoc IRightsAnchor
    function verifyEntry(bytes calldata entry, uint64 index, bytes32 root, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        return RFC9162.includes(RFC9162.leafHash(entry), index, uint64(_heads[root]), root, proof);
    }

    /// @inheritdoc IRightsAnchor
    function setOperator(address newOperator) external onlyOwner {
        if (newOperator == address(0)) revert Zero();
        operator = newOperator;
        emit OperatorSet(newOperator);
    }

    /// @inheritdoc IRightsAnchor
    function setLogKey(bytes32 newLogKey) external onlyOwner {
        if (newLogKey == 0) revert Zero();
        logKey = newLogKey;
        emit LogKeySet(newLogKey);
    }

    /// @inheritdoc IRightsAnchor
    function transferOwnership(address newOwner) external onlyOwner {
        if (newOwner == address(0)) revert Zero();
        pendingOwner = newOwner;
        emit OwnershipTransferStarted(msg.sender, newOwner);
    }

    /// @inheritdoc IRightsAnchor
    function acceptOwnership() external {
        if (msg.sender != pendingOwner) revert NotPendingOwner(msg.sender);
        emit OwnershipTransferred(owner, msg.sender);
        owner = msg.sender;
        pendingOwner = address(0);
    }

    /// @dev The list is not stored: the address commits to it, and nothing but the constructor reads it.
    function _requireListed(uint64[] memory chains) private view {
        if (chains.length == 0 || chains.length > _MAXIMUM_CHAINS) revert ChainsRefused(chains);
        bool listed = false;
        uint64 last = 0;
        for (uint256 i = 0; i < chains.length; ++i) {
            if (chains[i] <= last) revert ChainsRefused(chains);
            last = chains[i];
            if (last == block.chainid) listed = true;
        }
        if (!listed) revert ChainNotListed(block.chainid, chains);
    }

    /// @dev The last head's root, if that head has `from` entries: a race is told apart from a bad proof, cheaply.
    function _lastRoot(uint64 from) private view returns (bytes32 last) {
        last = _root;
        uint64 actual = uint64(_heads[last]);
        if (from != actual) revert HeadMoved(from, actual);
    }

    function _accept(bytes32 last, uint64 from, uint64 size, bytes32 root, bytes32[] calldata proof) private {
        if (size <= from) revert SizeNotLarger(size, from);
        if (from == 0) {
            if (proof.length != 0) revert ProofLength(proof.length);
        } else {
            if (proof.length > RFC9162.MAXIMUM_NODES) revert ProofLength(proof.length);
            if (!RFC9162.extends(from, last, size, root, proof)) revert NotConsistent(from, size, root);
        }
        if (root == 0 || _heads[root] != 0) revert RootRefused(root);
        _heads[root] = uint256(size) | block.timestamp << 64 | uint256(from) << 128 | block.number << 192;
        _root = root;
        emit Anchored(root, size, from);
    }
}
