{{/* Names, labels, ports and folders. */}}

{{- define "sojae.telemetry-port" -}}9600{{- end }}
{{- define "sojae.http-port" -}}8600{{- end }}
{{- define "sojae.state-folder" -}}/var/lib/sojae/state{{- end }}
{{- define "sojae.store-folder" -}}/var/lib/sojae/store{{- end }}
{{- define "sojae.plants-folder" -}}/etc/sojae/plants{{- end }}
{{- define "sojae.kafka-folder" -}}/etc/sojae/kafka{{- end }}

{{/* Where Debian, and librdkafka's search, have the bundle. */}}
{{- define "sojae.certificates" -}}/etc/ssl/certs/ca-certificates.crt{{- end }}

{{- define "sojae.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 30 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 30 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{/* Takes (dict "root" $ "name" <service>), as all of the below do. */}}
{{- define "sojae.service-name" -}}
{{- printf "%s-%s" (include "sojae.fullname" .root) .name -}}
{{- end }}

{{- define "sojae.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "sojae.shared-labels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "sojae.labels" -}}
{{ include "sojae.selector" . }}
{{ include "sojae.shared-labels" .root }}
{{- end }}

{{/* The claim of the store: the one that is there, or the one that the chart makes. */}}
{{- define "sojae.store-claim" -}}
{{- .Values.storeVolume.existingClaim | default (printf "%s-store" (include "sojae.fullname" .)) -}}
{{- end }}
