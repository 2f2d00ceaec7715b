{{/* The pod of one service; takes root, name, service. */}}
{{- define "sojae.pod" -}}
{{- $values := .root.Values -}}
{{- $service := .service -}}
serviceAccountName: {{ include "sojae.fullname" .root }}
automountServiceAccountToken: false
# A Service called sojae-... would otherwise put SOJAE_..._PORT into every environment, and unknown SOJAE_ names are refused.
enableServiceLinks: false
terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with $values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- if gt (int $service.replicas) 1 }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "sojae.selector" . | nindent 8 }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - {{- include "sojae.container" . | nindent 4 }}
volumes: {{- include "sojae.volumes" . | nindent 2 }}
{{- end }}

{{- define "sojae.container" -}}
{{- $values := .root.Values -}}
{{- $service := .service -}}
name: {{ .name }}
image: {{ printf "%s:%s" $values.image.repository ($values.image.tag | default .root.Chart.AppVersion) }}
imagePullPolicy: {{ $values.image.pullPolicy }}
args: [{{ $service.command }}]
envFrom:
  - configMapRef: {name: {{ include "sojae.service-name" . }}}
{{- with include "sojae.secret-environment" . | trim }}
env: {{- . | nindent 2 }}
{{- end }}
ports:
  - {name: telemetry, containerPort: {{ include "sojae.telemetry-port" . }}}
  {{- if $service.http }}
  - {name: http, containerPort: {{ include "sojae.http-port" . }}}
  {{- end }}
startupProbe: # the store is opened, and indexes are brought up, before health is answered
  httpGet: {path: /health/live, port: telemetry}
  periodSeconds: 2
  failureThreshold: 150
livenessProbe:
  httpGet: {path: /health/live, port: telemetry}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /health/ready, port: telemetry}
  periodSeconds: 5
  timeoutSeconds: 3
{{- if $service.http }}
lifecycle: # until the endpoints are gone everywhere, requests still come
  preStop: {sleep: {seconds: 5}}
{{- end }}
resources: {{- toYaml $service.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: state, mountPath: {{ include "sojae.state-folder" . }}}
  - {name: tmp, mountPath: /tmp}
  {{- if and $service.needs.store $values.storeVolume.enabled }}
  - {name: store, mountPath: {{ include "sojae.store-folder" . }}}
  {{- end }}
  {{- if and $service.needs.kafka $values.kafka.passwordSecret.name }}
  - {name: kafka, mountPath: {{ include "sojae.kafka-folder" . }}, readOnly: true}
  {{- end }}
  {{- if $values.plantFiles }}
  - {name: plants, mountPath: {{ include "sojae.plants-folder" . }}, readOnly: true}
  {{- end }}
  {{- if $values.trustedCertificates.configMap }}
  - {name: certificates, mountPath: {{ include "sojae.certificates" . }}, subPath: bundle, readOnly: true}
  {{- end }}
  {{- with $service.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "sojae.volumes" -}}
{{- $values := .root.Values -}}
{{- $service := .service -}}
- name: state
  {{- if $service.state.persistent }}
  persistentVolumeClaim: {claimName: {{ include "sojae.service-name" . }}}
  {{- else }}
  emptyDir: {sizeLimit: {{ $service.state.size }}}
  {{- end }}
- name: tmp
  emptyDir: {sizeLimit: 1Gi}
{{- if and $service.needs.store $values.storeVolume.enabled }}
- name: store
  persistentVolumeClaim: {claimName: {{ include "sojae.store-claim" .root }}}
{{- end }}
{{- if and $service.needs.kafka $values.kafka.passwordSecret.name }}
- name: kafka
  secret:
    secretName: {{ $values.kafka.passwordSecret.name }}
    defaultMode: 0440
    items: [{key: {{ $values.kafka.passwordSecret.key }}, path: password}]
{{- end }}
{{- if $values.plantFiles }}
- name: plants
  configMap: {name: {{ include "sojae.fullname" .root }}-plants}
{{- end }}
{{- if $values.trustedCertificates.configMap }}
- name: certificates
  configMap:
    name: {{ $values.trustedCertificates.configMap }}
    items: [{key: {{ $values.trustedCertificates.key }}, path: bundle}]
{{- end }}
{{- with $service.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
