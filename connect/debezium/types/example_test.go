package types_test

import (
	"fmt"

	"github.com/pabal-dev/pabal/connect/debezium/types"
)

// The same column by the settings of time.precision.mode.
func ExampleTimeMode() {
	for _, setting := range []string{"adaptive", "connect", "isostring", "nanoseconds"} {
		fmt.Println(types.TimeModeOf(setting).Timestamp(6).Name)
	}
	// Output:
	// io.debezium.time.MicroTimestamp
	// org.apache.kafka.connect.data.Timestamp
	// io.debezium.time.IsoTimestamp
	// io.debezium.time.NanoTimestamp
}
