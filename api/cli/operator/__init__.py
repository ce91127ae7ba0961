"""The operator's commands: `init`, `migrate`, `serve`, `worker`, `fsck`, `api-key`.

One file for each, in the order in which an operator meets them. They need the packages of `deedlog[platform]`; the base
install shows their help, and says what is missing when one is run.
"""
