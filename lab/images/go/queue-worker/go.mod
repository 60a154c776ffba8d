module oslo-faas.invalid/lab/images/queue-worker

go 1.24

tool github.com/openfaas/nats-queue-worker

require github.com/openfaas/nats-queue-worker v0.0.0-20230117214128-3615ccb286cc

require (
	github.com/gogo/protobuf v1.3.2 // indirect
	github.com/nats-io/nats.go v1.22.1 // indirect
	github.com/nats-io/nkeys v0.3.0 // indirect
	github.com/nats-io/nuid v1.0.1 // indirect
	github.com/nats-io/stan.go v0.10.4 // indirect
	github.com/openfaas/faas-provider v0.19.1 // indirect
	golang.org/x/crypto v0.5.0 // indirect
)
