module oslo-faas.invalid/lab/images/basic-auth

go 1.24

tool github.com/openfaas/faas/auth/basic-auth

require (
	github.com/openfaas/faas v0.0.0-20200207215241-6afae214e3ec
	github.com/openfaas/faas-provider v0.15.1
)

require github.com/pkg/errors v0.9.1 // indirect
