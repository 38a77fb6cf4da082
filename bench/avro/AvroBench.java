import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumReader;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumWriter;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.apache.flink.avro.shaded.org.apache.avro.io.BinaryDecoder;
import org.apache.flink.avro.shaded.org.apache.avro.io.BinaryEncoder;
import org.apache.flink.avro.shaded.org.apache.avro.io.DecoderFactory;
import org.apache.flink.avro.shaded.org.apache.avro.io.EncoderFactory;

/**
 * Writes and reads events with Java's Avro library, as package avro asks. Records, encoder, decoder
 * and buffer are used again; dates stay numbers, and texts what Avro makes of them by default.
 */
public class AvroBench {
  private static final class Kind {
    final GenericDatumWriter<GenericRecord> writer;
    final GenericDatumReader<GenericRecord> reader;
    final List<byte[]> bytes = new ArrayList<>();
    final List<GenericRecord> records = new ArrayList<>();

    Kind(Schema schema) {
      writer = new GenericDatumWriter<>(schema);
      reader = new GenericDatumReader<>(schema);
    }
  }

  private final List<Kind> kinds = new ArrayList<>();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream(1024);
  private BinaryEncoder encoder;
  private BinaryDecoder decoder;
  private long sum;

  public static void main(String[] args) throws Exception {
    AvroBench bench = new AvroBench();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      int space = line.indexOf(' ');
      String what = space < 0 ? line : line.substring(0, space);
      String rest = line.substring(space + 1);
      switch (what) {
        case "schema" -> bench.kinds.add(new Kind(new Schema.Parser().parse(rest)));
        case "record" -> bench.add(HexFormat.of().parseHex(rest));
        case "loaded" -> System.out.println("ready " + bench.compared());
        default -> System.out.println(bench.pace(what.equals("encode"), Long.parseLong(rest)));
      }
    }
  }

  private void add(byte[] bytes) throws Exception {
    Kind kind = kinds.get(kinds.size() - 1);
    kind.bytes.add(bytes);
    kind.records.add(decode(kind, bytes, null));
  }

  /** How many records are the same bytes when they are written again. */
  private int compared() throws Exception {
    int same = 0;
    for (Kind kind : kinds) {
      for (int i = 0; i < kind.bytes.size(); i++) {
        byte[] was = kind.bytes.get(i);
        if (Arrays.equals(was, encode(kind, ByteBuffer.wrap(was, 1, 4).getInt(), kind.records.get(i)))) {
          same++;
        }
      }
    }
    return same;
  }

  private byte[] encode(Kind kind, int id, GenericRecord record) throws Exception {
    out.reset();
    out.write(0);
    out.write(id >>> 24);
    out.write(id >>> 16);
    out.write(id >>> 8);
    out.write(id);
    encoder = EncoderFactory.get().binaryEncoder(out, encoder);
    kind.writer.write(record, encoder);
    encoder.flush();
    return out.toByteArray();
  }

  private GenericRecord decode(Kind kind, byte[] bytes, GenericRecord again) throws Exception {
    decoder = DecoderFactory.get().binaryDecoder(bytes, 5, bytes.length - 5, decoder);
    return kind.reader.read(again, decoder);
  }

  private double pace(boolean encoding, long millis) throws Exception {
    long began = System.nanoTime();
    long n = 0;
    while (n == 0 || System.nanoTime() - began < millis * 1_000_000) {
      for (Kind kind : kinds) {
        GenericRecord again = null;
        for (int i = 0; i < kind.bytes.size(); i++) {
          if (encoding) {
            sum += encode(kind, i, kind.records.get(i)).length;
          } else {
            again = decode(kind, kind.bytes.get(i), again);
            sum += again.get(0) == null ? 1 : 0;
          }
        }
        n += kind.bytes.size();
      }
    }
    return n * 1e9 / (System.nanoTime() - began);
  }
}
