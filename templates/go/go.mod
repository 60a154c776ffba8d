module oslo-faas/function-server

go 1.24
