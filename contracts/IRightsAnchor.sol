// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ERC-165: which interfaces a contract has
interface IERC165 {
    /// @notice Whether this contract has the interface with this id: the selectors of its functions, XORed.
    function supportsInterface(bytes4 interfaceId) external view returns (bool);
}

/// @title The anchor of a Deedlog registry
/// @notice Keeps, for good, every head (size and root) of one append-only Merkle log (RFC 9162 over SHA-256), and
/// refuses a head that does not extend the last one. Nobody, not the owner either, can change or remove a head.
/// @dev What this contract proves: which tree was anchored, in which order, and when. What entries say is not its
/// business. It is deployed by CREATE2, so that its address commits to its code and its constructor's arguments; code
/// or a code hash read from a chain prove nothing about how the state came about. The arguments list the chains on
/// which it may live. Anybody may deploy it, on those chains only: on any other, somebody with a key that was replaced
/// long ago could begin a second history at the same address.
interface IRightsAnchor {
    /// @notice A head was accepted: `size` entries under `root`, extending the head of `previousSize` entries.
    event Anchored(bytes32 indexed root, uint64 indexed size, uint64 previousSize);

    /// @notice The account that anchors is now `operator`.
    event OperatorSet(address indexed operator);

    /// @notice The key that signs checkpoints (an Ed25519 public key) is now `logKey`.
    event LogKeySet(bytes32 indexed logKey);

    /// @notice `pendingOwner` may accept to own this contract after `owner`.
    event OwnershipTransferStarted(address indexed owner, address indexed pendingOwner);

    /// @notice `owner` owns this contract, after `previousOwner`.
    event OwnershipTransferred(address indexed previousOwner, address indexed owner);

    /// @notice The head is not the one that the caller extends: rebuild the proof from `actual`. Not a bad proof.
    error HeadMoved(uint64 from, uint64 actual);

    /// @notice A head must have more entries than the last one, which has `actual`.
    error SizeNotLarger(uint64 size, uint64 actual);

    /// @notice This root is zero or is a head already.
    error RootRefused(bytes32 root);

    /// @notice The first head extends nothing and takes no proof; a proof of more than 64 nodes proves nothing.
    error ProofLength(uint256 nodes);

    /// @notice The proof does not show that (`size`, `root`) extends the head of `from` entries.
    error NotConsistent(uint64 from, uint64 size, bytes32 root);

    /// @notice Only the operator anchors.
    error NotOperator(address caller);

    /// @notice Only the owner does this.
    error NotOwner(address caller);

    /// @notice Only the account to which ownership was offered accepts it.
    error NotPendingOwner(address caller);

    /// @notice An account or the log key is zero.
    error Zero();

    /// @notice An origin has 1 to 255 printable ASCII characters without space and plus.
    error OriginRefused(string origin);

    /// @notice A registry lists 1 to 8 chain ids, in ascending order, each once, none zero.
    error ChainsRefused(uint64[] chains);

    /// @notice This chain, whose id is `chain`, is none of those on which this registry may live.
    error ChainNotListed(uint256 chain, uint64[] chains);

    /// @notice The last head: `size` entries under `root`, anchored at `time` (Unix seconds). Zeros before the first.
    function head() external view returns (uint64 size, bytes32 root, uint64 time);

    /// @notice The head with this root: every head ever accepted is here. Zeros if there is none.
    /// @return size the number of entries
    /// @return time the block's Unix time
    /// @return previousSize the size of the head that it extended; 0 for the first
    /// @return blockNumber the block's number
    function headOf(bytes32 root)
        external
        view
        returns (uint64 size, uint64 time, uint64 previousSize, uint64 blockNumber);

    /// @notice Anchor the head (`size`, `root`), which extends the head of `from` entries. Called by the operator.
    /// @param from the size of the head that `proof` starts from: 0 for the first head
    /// @param size the new number of entries; larger than `from`
    /// @param root the new root
    /// @param proof the RFC 9162 consistency proof from `from` to `size`, at most 64 nodes; empty for the first head
    function anchor(uint64 from, uint64 size, bytes32 root, bytes32[] calldata proof) external;

    /// @notice Whether `proof` shows `leafHash` at `index` of the log whose head has `root`. False if `root` is no head.
    /// @dev Never take a leaf hash from a stranger: 32 bytes that somebody else names may be an inner node, or the hash
    /// of bytes that are no entry. Take the entry and call `verifyEntry`.
    function verifyInclusion(bytes32 leafHash, uint64 index, bytes32 root, bytes32[] calldata proof)
        external
        view
        returns (bool);

    /// @notice Whether `proof` shows the bytes `entry` at `index` of the log whose head has `root`.
    function verifyEntry(bytes calldata entry, uint64 index, bytes32 root, bytes32[] calldata proof)
        external
        view
        returns (bool);

    /// @notice The version of this contract's creation code, under which the formats list its hash.
    function version() external view returns (uint64);

    /// @notice The log's origin (C2SP tlog-checkpoint); fixed.
    function origin() external view returns (string memory);

    /// @notice The Ed25519 public key that signs checkpoints now.
    function logKey() external view returns (bytes32);

    /// @notice The account that sets the operator and the log key, and can do nothing else.
    function owner() external view returns (address);

    /// @notice The account to which ownership is offered; zero if to none.
    function pendingOwner() external view returns (address);

    /// @notice The account that anchors, and can do nothing else.
    function operator() external view returns (address);

    /// @notice Name the operator. Called by the owner.
    function setOperator(address newOperator) external;

    /// @notice Name the key that signs checkpoints. Called by the owner. Heads and old checkpoints are untouched.
    function setLogKey(bytes32 newLogKey) external;

    /// @notice Offer ownership; it moves when `newOwner` accepts. Called by the owner.
    function transferOwnership(address newOwner) external;

    /// @notice Accept ownership. Called by the account to which it was offered.
    function acceptOwnership() external;
}
