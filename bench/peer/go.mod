module oslo-faas/bench/peer

go 1.24
