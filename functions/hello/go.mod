module oslo-faas.invalid/functions/hello

go 1.22
