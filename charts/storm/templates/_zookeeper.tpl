{{- /*
The address of ZooKeeper. By the naming contract it is the lane's own Service zk-cs; values can select another lane's or
an external one. In each of them the lane has its own root.
*/ -}}

{{- /*
Takes the root. The values under `zookeeper` as JSON: those of a parent chart's `global` override the chart's own.
*/ -}}
{{- define "sidelane.storm.zookeeper" -}}
{{- $given := dig "zookeeper" dict (.Values.global | default dict) -}}
{{- mergeOverwrite (deepCopy .Values.zookeeper) $given | toJson -}}
{{- end -}}

{{- /* Takes the root. Host names, as a JSON list. */ -}}
{{- define "sidelane.storm.zookeeper.servers" -}}
{{- $zookeeper := include "sidelane.storm.zookeeper" . | fromJson -}}
{{- with $zookeeper.servers -}}
  {{- toJson . -}}
{{- else -}}
  {{- $lane := $zookeeper.lane | default (include "sidelane.lane" .) -}}
  {{- list (printf "zk-cs-%s.%s.svc.%s" $lane .Release.Namespace (include "sidelane.clusterDomain" .)) | toJson -}}
{{- end -}}
{{- end -}}

{{- /* Takes the root. */ -}}
{{- define "sidelane.storm.zookeeper.port" -}}
{{- int (include "sidelane.storm.zookeeper" . | fromJson).port -}}
{{- end -}}

{{- /*
Takes the root. The lane's own root: the prefix and the lane. A prefix has no dash and a lane always has one, so no
lane's root is equal to another's or inside it.
*/ -}}
{{- define "sidelane.storm.zookeeper.root" -}}
{{- printf "%s/%s" (include "sidelane.storm.zookeeper" . | fromJson).rootPrefix (include "sidelane.lane" .) -}}
{{- end -}}

{{- /* Takes the root. */ -}}
{{- define "sidelane.storm.zookeeper.checks" -}}
{{- $zookeeper := include "sidelane.storm.zookeeper" . | fromJson -}}
{{- if and $zookeeper.lane $zookeeper.servers -}}
  {{- fail (printf
    "zookeeper.lane is '%v' and zookeeper.servers is set too, and a lane has one ZooKeeper; set only one of them"
    $zookeeper.lane) -}}
{{- end -}}
{{- with $zookeeper.lane -}}
  {{- $parts := splitList "-" (toString .) -}}
  {{- $problem := include "sidelane.version.problem" (dict "value" (initial $parts | join "-")) -}}
  {{- with $problem | default (include "sidelane.build.problem" (dict "value" (last $parts))) -}}
    {{- fail (printf "zookeeper.lane is '%v', which is not a lane such as '2-coco-1': %s" $zookeeper.lane .) -}}
  {{- end -}}
{{- end -}}
{{- if not (regexMatch "^(/[A-Za-z][A-Za-z0-9_]*)+$" (toString $zookeeper.rootPrefix)) -}}
  {{- fail (printf
    (print "zookeeper.rootPrefix is '%v' and must be a path of names of letters, digits and _, such as /storm: a name "
      "with a dash could be another lane")
    $zookeeper.rootPrefix) -}}
{{- end -}}
{{- end -}}
