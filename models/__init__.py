"""The model bundles that ship with the project; each folder is one."""
