package config_test

import (
	"fmt"

	"github.com/pabal-dev/pabal/connect/config"
)

func Example() {
	d := config.Definition{Keys: []config.Key{
		{Name: "topic.prefix", Type: config.String, Required: true, Check: config.NotEmpty},
		{Name: "max.batch.size", Type: config.Int, Default: "2048", Check: config.AtLeast(1)},
	}}
	given := map[string]string{"max.batch.size": "many", "max.batch.sise": "1"}
	_, problems := d.Parse(given)
	for _, p := range problems {
		fmt.Println(p)
	}
	fmt.Println("unknown:", config.Unknown(given, d))
	v, _ := d.Parse(map[string]string{"topic.prefix": "shop"})
	fmt.Println(v.String("topic.prefix"), v.Int("max.batch.size"))
	// Output:
	// Missing required configuration "topic.prefix" which has no default value.
	// Invalid value many for configuration max.batch.size: Not a number of type INT
	// unknown: [max.batch.sise]
	// shop 2048
}
