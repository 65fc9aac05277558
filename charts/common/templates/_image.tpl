{{- /*
Takes the root. The image of .Values.image: by digest when it is set, because a tag can be moved and a digest can't. The
registry in a parent chart's `global` replaces the image's own.
*/ -}}
{{- define "sidelane.image" -}}
{{- include "sidelane.image.of" (dict "image" .Values.image "global" .Values.global) -}}
{{- end -}}

{{- /* Takes image and global. */ -}}
{{- define "sidelane.image.of" -}}
{{- $image := .image -}}
{{- $tag := include "sidelane.image.tag" $image -}}
{{- $registry := dig "imageRegistry" "" (.global | default dict) | default $image.registry -}}
{{- $name := list $registry $image.repository | compact | join "/" -}}
{{- if $image.digest -}}
  {{- printf "%s@%s" $name $image.digest -}}
{{- else if eq $tag "" -}}
  {{- fail (printf "image '%s' has neither a tag nor a digest; set image.tag or image.digest" $name) -}}
{{- else if eq $tag "latest" -}}
  {{- fail (printf
    "image '%s:latest' can change at any time, and a Build never changes; set image.tag to a version, or image.digest"
    $name) -}}
{{- else -}}
  {{- printf "%s:%s" $name $tag -}}
{{- end -}}
{{- end -}}

{{- /*
Takes an image. Its tag as text. A tag that YAML has read as a fraction is refused, because 3.10 has become 3.1.
*/ -}}
{{- define "sidelane.image.tag" -}}
{{- if and (kindIs "float64" .tag) -}}
  {{- fail (printf
    "image.tag is the number %v, which YAML may have changed (3.10 becomes 3.1); put it in quotes"
    .tag) -}}
{{- end -}}
{{- .tag | default "" -}}
{{- end -}}

{{- /* Takes the root. The version that runs, if it is known and is a valid label value; else nothing. */ -}}
{{- define "sidelane.image.version" -}}
{{- $version := .Chart.AppVersion -}}
{{- with .Values.image -}}
  {{- $version = include "sidelane.image.tag" . | default $version -}}
{{- end -}}
{{- if regexMatch "^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$" $version -}}
  {{- $version -}}
{{- end -}}
{{- end -}}
