import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.storage.Converter;

/** Events of Kafka Connect as JSON lines, through an Avro converter: see make.py. */
public class ToAvro {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        Map<String, Object> settings = new HashMap<>();
        for (int i = 1; i < args.length; i++) {
            int at = args[i].indexOf('=');
            settings.put(args[i].substring(0, at), args[i].substring(at + 1));
        }
        Converter[] from = {json(true), json(false)}, to = {avro(args[0], settings, true), avro(args[0], settings, false)};
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line; (line = in.readLine()) != null; ) {
            ObjectNode event = (ObjectNode) JSON.readTree(line);
            String topic = event.get("topic").asText();
            ObjectNode out = JSON.createObjectNode();
            out.put("topic", topic);
            String[] parts = {"key", "value"};
            boolean whole = true;
            for (int i = 0; i < 2 && whole; i++) {
                if (!event.hasNonNull(parts[i])) {
                    out.putNull(parts[i]);
                    continue;
                }
                SchemaAndValue one;
                try {
                    one = from[i].toConnectData(topic, event.get(parts[i]).asText().getBytes("UTF-8"));
                } catch (DataException error) { // some pages shorten their schema blocks
                    System.err.println("passed over " + topic + ": " + error.getMessage());
                    whole = false;
                    continue;
                }
                byte[] bytes = to[i].fromConnectData(topic, one.schema(), one.value());
                out.put(parts[i], Base64.getEncoder().encodeToString(bytes));
                out.put(parts[i] + "_json", new String(from[i].fromConnectData(topic, one.schema(), one.value()), "UTF-8"));
            }
            if (whole) {
                System.out.println("> " + out);
            }
        }
    }

    private static Converter json(boolean key) {
        Converter made = new JsonConverter();
        made.configure(Map.of("schemas.enable", "true"), key);
        return made;
    }

    private static Converter avro(String name, Map<String, Object> settings, boolean key) throws Exception {
        Converter made = (Converter) Class.forName(name).getDeclaredConstructor().newInstance();
        made.configure(settings, key);
        return made;
    }
}
