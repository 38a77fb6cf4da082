package peer;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;

/** An event, and a durable state, in the JSON of Jackson's serializer. */
public final class ItemAdded {
  public final String item;
  public final long count;

  @JsonCreator
  public ItemAdded(@JsonProperty("item") String item, @JsonProperty("count") long count) {
    this.item = item;
    this.count = count;
  }

  @Override
  public String toString() {
    return item + "*" + count;
  }
}
