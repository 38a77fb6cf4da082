package mongodb_test

import (
	"fmt"

	sink "github.com/pabal-dev/pabal/connect/sink/mongodb"
)

func Example() {
	values, problems := sink.Sink{}.Info().Config.Parse(map[string]string{
		"connector.class":           sink.Class,
		"mongodb.connection.string": "mongodb://localhost:27017/?replicaSet=rs0",
		"sink.database":             "copies",
	})
	tasks, _ := sink.Sink{}.Tasks(values, 2)
	fmt.Println(len(problems), values.String("collection.name.format"), len(tasks))
	// Output: 0 ${topic} 2
}
