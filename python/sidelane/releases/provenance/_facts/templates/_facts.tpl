{{- /* The facts of a release's cluster as JSON, in the form of Facts.to_json (cluster.py). The chart `facts` prints
them, and carried.py puts this file into a chart that carries its record. */ -}}
{{- define "sidelane.facts" -}}
{{- $namespace := lookup "v1" "Namespace" "" .Release.Namespace -}}
{{- $quotas := dict -}}
{{- range (lookup "v1" "ResourceQuota" .Release.Namespace "").items -}}
  {{- $_ := set $quotas .metadata.name (dig "spec" "hard" dict .) -}}
{{- end -}}
{{- $facts := dict
  "kubernetes" .Capabilities.KubeVersion.Version
  "namespaceLabels" (dig "metadata" "labels" dict $namespace)
  "namespaceQuotas" $quotas -}}
{{- /* A cluster for tests may have no kube-system. */ -}}
{{- with dig "metadata" "uid" "" (lookup "v1" "Namespace" "" "kube-system") -}}
  {{- $_ := set $facts "uid" . -}}
{{- end -}}
{{- toJson $facts -}}
{{- end -}}
