{{- /*
Takes root, component and serviceVersion. How many pods the Deployment says that it wants: nothing where an autoscaler
chooses. On an upgrade that would not do: Kubernetes takes the number that goes away for 1, and stops the other pods. So
an upgrade says the number that is there (sidelane.dev/asks: on-upgrade).
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
Takes root and lifecycle, a container's. It, and a wait before the stop while clients learn that the pod leaves: all
containers of a pod are told to stop at once, and the service goes on needing those beside it.
*/ -}}
{{- define "sidelane.service.lifecycle" -}}
{{- $lifecycle := deepCopy (.lifecycle | default dict) -}}
{{- $seconds := int .root.Values.drainSeconds -}}
{{- if and $seconds (not (get $lifecycle "preStop")) -}}
  {{- $_ := set $lifecycle "preStop" (dict "sleep" (dict "seconds" $seconds)) -}}
{{- end -}}
{{- toYaml $lifecycle -}}
{{- end -}}
