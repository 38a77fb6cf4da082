package converters_test

import (
	"fmt"

	"github.com/pabal-dev/pabal/connect/plugin/converters"
)

func Example() {
	for _, p := range converters.Plugins() {
		if p.Class != "org.apache.kafka.connect.json.JsonConverter" {
			continue
		}
		cfg, _ := p.Config.Parse(map[string]string{"schemas.enable": "false"})
		c, _ := p.New(cfg, false)
		b, err := c.Encode("orders", nil, "text")
		fmt.Println(string(b), err)
	}
	// Output: "text" <nil>
}
