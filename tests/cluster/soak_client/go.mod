module quiver/tests/cluster/soak_client

go 1.19
