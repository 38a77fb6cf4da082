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
		"snapshot.max.threads": "4",
	})
	fmt.Println(c.Info().Class)
	fmt.Println(problems)
	// Output:
	// io.debezium.connector.mariadb.MariaDbConnector
	// [Invalid value 4 for configuration snapshot.max.threads: this option is not supported: a snapshot reads one table after the other]
}
