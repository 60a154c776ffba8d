import { main } from "../../core/main";
import { definition } from "./definition";

main(definition);
