{{- /*
Takes root, component and serviceVersion. How many pods the Deployment says that it wants: nothing where an autoscaler
chooses. On an upgrade that would not do: Kubernetes takes the number that goes away for 1, and stops the other pods. So an
upgrade says the number that is there (sidelane.dev/asks: on-upgrade).
*/ -}}
{{- define "service.replicas" -}}
{{- if not .root.Values.autoscaling.enabled -}}
  {{- int .root.Values.replicas -}}
{{- else if .root.Release.IsUpgrade -}}
  {{- $name := include "common.name" (merge (dict "kind" "Deployment") .) -}}
  {{- with lookup "apps/v1" "Deployment" .root.Release.Namespace $name -}}
    {{- int .spec.replicas -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /* Takes the root. What the values say, and a wait before the stop while clients learn that the pod leaves. */ -}}
{{- define "service.lifecycle" -}}
{{- $lifecycle := deepCopy .Values.lifecycle -}}
{{- if and .Values.drainSeconds (not (get $lifecycle "preStop")) -}}
  {{- $_ := set $lifecycle "preStop" (dict "sleep" (dict "seconds" (int .Values.drainSeconds))) -}}
{{- end -}}
{{- toYaml $lifecycle -}}
{{- end -}}
