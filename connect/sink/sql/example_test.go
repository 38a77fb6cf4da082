package sql_test

import (
	"fmt"

	sink "github.com/pabal-dev/pabal/connect/sink/sql"
)

func Example() {
	values, problems := sink.Sink{}.Info().Config.Parse(map[string]string{
		"connector.class":     sink.Class,
		"connection.url":      "jdbc:postgresql://localhost:5432/copies",
		"connection.username": "writer",
		"insert.mode":         "upsert",
		"primary.key.mode":    "record_key",
		"delete.enabled":      "true",
		"schema.evolution":    "basic",
	})
	tasks, _ := sink.Sink{}.Tasks(values, 2)
	fmt.Println(len(problems), values.String("collection.name.format"), len(tasks))
	// Output: 0 ${topic} 2
}
