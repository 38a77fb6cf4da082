package postgres_test

import (
	"fmt"

	"github.com/pabal-dev/pabal/connect/postgres"
)

// A configuration is that of Debezium's connector.
func Example() {
	c := postgres.Connector{}
	_, problems := c.Info().Config.Parse(map[string]string{
		"topic.prefix": "orders", "database.hostname": "localhost", "database.user": "cdc", "database.dbname": "orders",
		"plugin.name": "decoderbufs",
	})
	fmt.Println(c.Info().Class)
	fmt.Println(problems)
	// Output:
	// io.debezium.connector.postgresql.PostgresConnector
	// [Invalid value decoderbufs for configuration plugin.name: the plugin decoderbufs is not supported: pgoutput is in every PostgreSQL since 10]
}
