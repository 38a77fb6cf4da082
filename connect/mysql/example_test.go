package mysql_test

import (
	"fmt"

	"github.com/pabal-dev/pabal/connect/mysql"
)

// A configuration is that of Debezium's connector.
func Example() {
	c := mysql.MariaDB{}
	_, problems := c.Info().Config.Parse(map[string]string{
		"topic.prefix": "orders", "database.hostname": "localhost", "database.user": "cdc", "database.server.id": "5701",
		"schema.history.internal.kafka.topic": "history", "gtid.source.includes": "0-1",
		"include.schema.changes": "true",
	})
	fmt.Println(c.Info().Class)
	fmt.Println(problems)
	// Output:
	// io.debezium.connector.mariadb.MariaDbConnector
	// [Invalid value true for configuration include.schema.changes: this option is not supported: no records are made of changes of definitions: leave it out, or set it to false]
}
