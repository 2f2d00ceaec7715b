{{/* From values to what a process reads: SOJAE_* names. */}}

{{/* One service as JSON: its values over the defaults of all, checked. */}}
{{- define "sojae.service" -}}
{{- $service := mergeOverwrite (deepCopy .root.Values.serviceDefaults) (deepCopy (get .root.Values.services .name)) -}}
{{- $settings := mergeOverwrite (deepCopy .root.Values.settings) (deepCopy $service.settings) -}}
{{- $_ := set $service "settings" $settings -}}
{{- if $service.enabled -}}
{{- include "sojae.check" (dict "root" .root "name" .name "service" $service) -}}
{{- end -}}
{{- toJson $service -}}
{{- end }}

{{/* The address that the gateway listens on: given, or everywhere when it is open, or empty = its own default, loopback. */}}
{{- define "sojae.gateway-host" -}}
{{- $gateway := .service.settings.gateway | default dict -}}
{{- $gateway.host | default (ternary "0.0.0.0" "" (get $gateway "open" | default false)) -}}
{{- end }}

{{/* "yes" when the service answers HTTP outside its pod. */}}
{{- define "sojae.reachable" -}}
{{- $host := include "sojae.gateway-host" . -}}
{{- if and .service.http $host (not (has $host (list "127.0.0.1" "::1" "localhost"))) -}}yes{{- end -}}
{{- end }}

{{/*
The environment of a service as JSON, without secrets. Numbers go through toJson, because a large one would be printed
as 1.6777216e+07.
*/}}
{{- define "sojae.environment" -}}
{{- $service := .service -}}
{{- $groups := concat (list "general" "templates" "telemetry" "plants") $service.groups -}}
{{- if $service.needs.kafka }}{{ $groups = append $groups "kafka" }}{{ end -}}
{{- if $service.needs.store }}{{ $groups = append $groups "store" }}{{ end -}}
{{- $environment := dict -}}
{{- range $group := $groups -}}
{{- $prefix := ternary "SOJAE_" (printf "SOJAE_%s__" (upper $group)) (eq $group "general") -}}
{{- range $field, $value := get $service.settings $group | default dict -}}
{{- $text := ternary $value (toJson $value) (kindIs "string" $value) -}}
{{- if regexMatch "://[^/]*@" $text -}}
{{- fail (printf "settings.%s.%s holds a user or a password: name it in secretSettings, from a Secret" $group $field) -}}
{{- end -}}
{{- $_ := set $environment (printf "%s%s" $prefix (upper $field)) $text -}}
{{- end -}}
{{- end -}}
{{- mergeOverwrite $environment (include "sojae.chart-environment" . | fromJson) | toJson -}}
{{- end }}

{{/* What the chart itself decides: folders, ports, and how the bucket is reached. */}}
{{- define "sojae.chart-environment" -}}
{{- $values := .root.Values -}}
{{- $environment := dict
  "SOJAE_HOME" (printf "%s/home" (include "sojae.state-folder" .))
  "SOJAE_TELEMETRY__HOST" "0.0.0.0"
  "SOJAE_TELEMETRY__PORT" (include "sojae.telemetry-port" .) -}}
{{- if .service.http -}}
{{- $_ := set $environment "SOJAE_GATEWAY__PORT" (include "sojae.http-port" .) -}}
{{- with include "sojae.gateway-host" . -}}{{- $_ := set $environment "SOJAE_GATEWAY__HOST" . -}}{{- end -}}
{{- end -}}
{{- if and .service.needs.kafka $values.kafka.passwordSecret.name -}}
{{- $_ := set $environment "SOJAE_KAFKA__PASSWORD_FILE" (printf "%s/password" (include "sojae.kafka-folder" .)) -}}
{{- end -}}
{{- if $values.plantFiles -}}
{{- $_ := set $environment "SOJAE_PLANTS__PATH" (include "sojae.plants-folder" .) -}}
{{- end -}}
{{- if has "monitor" .service.groups -}}
{{- $given := .service.settings.monitor | default dict -}}
{{- $_ := set $environment "SOJAE_MONITOR__INSTANCE_ID" ($given.instance_id | default .name) -}}
{{- end -}}
{{- if $values.trustedCertificates.configMap -}}
{{- $_ := set $environment "SSL_CERT_FILE" (include "sojae.certificates" .) -}}
{{- end -}}
{{- if .service.needs.store -}}
{{- if $values.storeVolume.enabled -}}
{{- $_ := set $environment "SOJAE_STORE__URI" (include "sojae.store-folder" .) -}}
{{- end -}}
{{- with $values.objectStore.endpoint -}}{{- $_ := set $environment "AWS_ENDPOINT_URL" . -}}{{- end -}}
{{- with $values.objectStore.region -}}{{- $_ := set $environment "AWS_REGION" . -}}{{- end -}}
{{- if $values.objectStore.allowHttp -}}{{- $_ := set $environment "AWS_ALLOW_HTTP" "true" -}}{{- end -}}
{{- end -}}
{{- $environment | toJson -}}
{{- end }}

{{/* What the environment takes from Secrets, as a list of YAML. */}}
{{- define "sojae.secret-environment" -}}
{{- range $name, $secret := .service.secretSettings }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef: {name: {{ $secret.name }}, key: {{ $secret.key }}}
{{- end }}
{{- with .root.Values.objectStore.credentialsSecret }}
{{- if and $.service.needs.store .name }}
- name: AWS_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef: {name: {{ .name }}, key: {{ .accessKeyIdKey }}}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef: {name: {{ .name }}, key: {{ .secretAccessKeyKey }}}
{{- end }}
{{- end }}
{{- end }}
