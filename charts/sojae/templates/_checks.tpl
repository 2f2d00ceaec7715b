{{/* What a schema cannot say: values that do not go together are refused with what to do. Takes root, name, service. */}}
{{- define "sojae.check" -}}
{{- $values := .root.Values -}}
{{- $service := .service -}}
{{- $store := $service.settings.store | default dict -}}
{{- $kafka := $service.settings.kafka | default dict -}}
{{- $where := printf "services.%s" .name -}}
{{- if not (and $service.command $service.groups) -}}
{{- fail (printf "%s: command and groups are needed" $where) -}}
{{- end -}}
{{- if and $service.needs.store $values.storeVolume.enabled $store.uri -}}
{{- fail "the store is either on storeVolume or at settings.store.uri: give one" -}}
{{- end -}}
{{- if and $service.needs.store (not $values.storeVolume.enabled) (not $store.uri) -}}
{{- fail "no store: set settings.store.uri to a bucket (s3://...), or storeVolume.enabled" -}}
{{- end -}}
{{- if and $service.needs.kafka (not $kafka.bootstrap_servers) -}}
{{- fail "no Kafka: set settings.kafka.bootstrap_servers to host:port,..." -}}
{{- end -}}
{{- range splitList "," ($kafka.bootstrap_servers | default ":0") -}}
{{- if not (regexMatch ":[0-9]+$" .) -}}
{{- fail (printf "settings.kafka.bootstrap_servers: %q has no port; give host:port,..." .) -}}
{{- end -}}
{{- end -}}
{{- if and $service.needs.kafka $kafka.username (not $values.kafka.passwordSecret.name) -}}
{{- fail "settings.kafka.username needs kafka.passwordSecret.name, a Secret that holds its password" -}}
{{- end -}}
{{- if and $service.needs.kafka (hasPrefix "SASL" ($kafka.security_protocol | default "")) (not $kafka.username) -}}
{{- fail "a SASL protocol needs settings.kafka.username" -}}
{{- end -}}
{{- if regexMatch "://[^/]*@" $values.objectStore.endpoint -}}
{{- fail "objectStore.endpoint holds a user or a password: put the keys into objectStore.credentialsSecret" -}}
{{- end -}}
{{- if and (has "monitor" $service.groups) (not $values.plantFiles) -}}
{{- fail (printf "%s follows plants: give plantFiles, or set enabled to false" $where) -}}
{{- end -}}
{{- if and (gt (int $service.replicas) 1) $service.single -}}
{{- fail (printf "%s.replicas is %d: a second one would only do the same work again; set 1" $where (int $service.replicas)) -}}
{{- end -}}
{{- if and (gt (int $service.replicas) 1) $service.state.persistent -}}
{{- fail (printf "%s: a persistent state is one pod's; set replicas to 1, or state.persistent to false" $where) -}}
{{- end -}}
{{- end }}
