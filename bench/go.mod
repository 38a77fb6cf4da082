module github.com/pabal-dev/pabal/bench

go 1.26.0
