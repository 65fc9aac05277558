"""The schemas of Kubernetes' objects, for the rule kubernetes-schemas.

- versions.py: ranges of Kubernetes versions;
- published.py: the schemas of Kubernetes' own kinds, from the package kubernetes-validate;
- definitions.py: those of custom resources, from a folder or from definitions in the manifest;
- validating.py: objects against these.
"""
