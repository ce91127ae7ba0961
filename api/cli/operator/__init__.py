"""The operator's commands: `init`, `migrate`, `serve`, `worker`, `fsck`, `api-key`.

One file for each, in the order in which an operator needs them. They need the packages of `deedlog[platform]`. The base
install shows their help, and an error naming the missing package when one is run. May import everything; only `api.cli`
loads these.
"""
