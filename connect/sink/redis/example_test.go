package redis_test

import (
	"fmt"

	sink "github.com/pabal-dev/pabal/connect/sink/redis"
)

func Example() {
	values, problems := sink.Sink{}.Info().Config.Parse(map[string]string{
		"connector.class": sink.Class,
		"redis.uri":       "redis://localhost:6379",
		"redis.type":      "HASH",
		"redis.keyspace":  "users",
	})
	tasks, _ := sink.Sink{}.Tasks(values, 2)
	fmt.Println(len(problems), values.String("redis.separator"), len(tasks))
	// Output: 0 : 2
}
