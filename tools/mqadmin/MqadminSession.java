import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/**
 * Many mqadmin commands in one JVM, because starting one takes longer than what it is asked for.
 *
 * Reads one command a line, its arguments separated by tabs; answers each with one line, which is what
 * the command has printed, in base64. Each command goes through upstream's own entry point.
 */
public final class MqadminSession {
    public static void main(String[] none) throws Exception {
        PrintStream answers = System.out;
        BufferedReader commands =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            ByteArrayOutputStream said = new ByteArrayOutputStream();
            PrintStream terminal = new PrintStream(said, true, StandardCharsets.UTF_8);
            System.setOut(terminal);
            System.setErr(terminal);
            MQAdminStartup.main(line.split("\t"));
            terminal.flush();
            answers.println(Base64.getEncoder().encodeToString(said.toByteArray()));
            answers.flush();
        }
        System.exit(0);
    }
}
