package main

import (
	"errors"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker"
)

// errNoSlowSyncs says that this broker has no way to make its disk slow.
var errNoSlowSyncs = errors.New("-sync-delay: the broker's syncs cannot be slowed down")

// slowSyncs has each sync of the broker's disk take longer.
func slowSyncs(_ *broker.Config, delay time.Duration) error {
	if delay != 0 {
		return errNoSlowSyncs
	}
	return nil
}
