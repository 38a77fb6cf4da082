//go:build unix && !linux

package faults_test

import (
	"testing"

	"github.com/pabal-dev/pabal/internal/faults/wire"
)

// watchLog tells of writes on Linux only; there is no such step elsewhere.
func watchLog(testing.TB, string, wire.Watch) {}
