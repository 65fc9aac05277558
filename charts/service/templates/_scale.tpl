{{- /*
Takes root, component and serviceVersion. The Deployment's replicas; nothing when an autoscaler sets the number. On an
upgrade Kubernetes would read a removed number as 1 and stop the other pods, so an upgrade renders the current number
(sidelane.dev/asks: on-upgrade).
*/ -}}
{{- define "sidelane.service.replicas" -}}
{{- if not .root.Values.autoscaling.enabled -}}
  {{- int .root.Values.replicas -}}
{{- else if .root.Release.IsUpgrade -}}
  {{- $name := include "sidelane.name" (merge (dict "kind" "Deployment") .) -}}
  {{- with lookup "apps/v1" "Deployment" .root.Release.Namespace $name -}}
    {{- int .spec.replicas -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Takes root and lifecycle (a container's). The lifecycle, with a wait before the stop until clients no longer send
requests to the pod. Sidecars wait too: Kubernetes stops all containers of a pod at once, and the service still needs
them.
*/ -}}
{{- define "sidelane.service.lifecycle" -}}
{{- $lifecycle := deepCopy (.lifecycle | default dict) -}}
{{- $seconds := int .root.Values.drainSeconds -}}
{{- if and $seconds (not (get $lifecycle "preStop")) -}}
  {{- $_ := set $lifecycle "preStop" (dict "sleep" (dict "seconds" $seconds)) -}}
{{- end -}}
{{- toYaml $lifecycle -}}
{{- end -}}
