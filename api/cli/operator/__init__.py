"""The commands of whoever operates a registry: `init`, `migrate`, `serve`, `worker`, `fsck`, `api-key`."""
